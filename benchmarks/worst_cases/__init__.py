"""What the costliest request costs that each route lets in, with the default limits.

`heavy_store` fills a store as strangers may, `cases` has the requests, `measured` sends them.
"""
