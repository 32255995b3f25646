"""HailWhale for Django: `INSTALLED_APPS = [..., "hailwhale.contrib.django"]`.

`models.Counted` makes a model count and answer, `admin.CountedAdmin` shows that in the admin,
`{% load hailwhale %}` has the template tags, `manage.py hailwhale` the whole command line.
"""
