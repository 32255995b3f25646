-- Exact addition of decimal texts. Prepended to every script that adds to cells.
--
-- add(a, b)   a: a cell's decimal text, or false if the cell is new;  b: the amount to add
-- returns     the sum as canonical text: no exponent, no '+', no trailing zeros, never '-0'
--
-- Lua's numbers are doubles, exact for whole numbers below 2^53. If both numbers have at most 14
-- digits down to the last decimal of either, the error of their sum as doubles is less than a
-- twentieth of that decimal. Rounding then gives the exact sum. Longer numbers are added digit group
-- by digit group.

local GROUP, GROUP_DIGITS = 10000000, 7
local BELOW, ROUNDED = {}, {}  -- by number of decimals
for decimals = 1, 13 do
  BELOW[decimals], ROUNDED[decimals] = 10 ^ (14 - decimals), '%.' .. decimals .. 'f'
end
local find, format, byte, gsub, max = string.find, string.format, string.byte, string.gsub, math.max

local function parts(text)
  local negative = string.sub(text, 1, 1) == '-'
  if negative then text = string.sub(text, 2) end
  local dot = string.find(text, '.', 1, true)
  if not dot then return negative, text, 0 end
  return negative, string.sub(text, 1, dot - 1) .. string.sub(text, dot + 1), #text - dot
end

local function canonical(negative, digits, decimals)
  digits = string.gsub(digits, '^0+', '')
  if #digits <= decimals then digits = string.rep('0', decimals + 1 - #digits) .. digits end
  if decimals > 0 then
    local whole = string.sub(digits, 1, -decimals - 1)
    local rest = string.gsub(string.sub(digits, -decimals), '0+$', '')
    digits = rest == '' and whole or whole .. '.' .. rest
  end
  if digits == '' or digits == '0' then return '0' end
  return negative and '-' .. digits or digits
end

-- Whole numbers of any length as little-endian groups of seven digits.
local function groups(digits)
  local out = {}
  for last = #digits, 1, -GROUP_DIGITS do
    out[#out + 1] = tonumber(string.sub(digits, math.max(1, last - GROUP_DIGITS + 1), last))
  end
  return out
end

local function ungroup(g)
  local out = {}
  for i = #g, 1, -1 do out[#out + 1] = string.format('%07.0f', g[i]) end
  return table.concat(out)
end

local function larger(a, b)
  for i = math.max(#a, #b), 1, -1 do
    local x, y = a[i] or 0, b[i] or 0
    if x ~= y then return x > y end
  end
  return true
end

local function add_long(neg_a, a, neg_b, b)
  local sign = 1
  if neg_a ~= neg_b then
    sign = -1
    if not larger(a, b) then
      a, b, neg_a = b, a, neg_b
    end
  end
  local out, carry = {}, 0
  for i = 1, math.max(#a, #b) + 1 do
    local n = (a[i] or 0) + sign * (b[i] or 0) + carry
    carry = math.floor(n / GROUP)
    out[i] = n - carry * GROUP
  end
  return neg_a, ungroup(out)
end

local function add_digits(a, b)
  local neg_a, digits_a, dec_a = parts(a)
  local neg_b, digits_b, dec_b = parts(b)
  local decimals = math.max(dec_a, dec_b)
  digits_a = digits_a .. string.rep('0', decimals - dec_a)
  digits_b = digits_b .. string.rep('0', decimals - dec_b)
  local negative, digits = add_long(neg_a, groups(digits_a), neg_b, groups(digits_b))
  return canonical(negative, digits, decimals)
end

local function add(a, b)
  if not a then return b end
  if #a <= 15 and #b <= 15 then
    local x, y, decimals = a + 0, b + 0, 0
    local whole_x, whole_y = x % 1 == 0, y % 1 == 0
    if whole_x and whole_y then return format('%d', x + y) end
    if not whole_x then decimals = #a - find(a, '.', 1, true) end
    if not whole_y then decimals = max(decimals, #b - find(b, '.', 1, true)) end
    local below = BELOW[decimals]
    if x < below and -x < below and y < below and -y < below then
      local sum = format(ROUNDED[decimals], x + y)
      if byte(sum, -1) ~= 48 then return sum end  -- a '0'
      sum = gsub(sum, '%.?0+$', '')
      return sum == '-0' and '0' or sum
    end
  end
  return add_digits(a, b)
end
