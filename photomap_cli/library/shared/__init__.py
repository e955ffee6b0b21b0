"""Owns a library that many share: its photos and vectors are in Milvus, which several machines write to and search.

Nothing here is imported unless an address asks for it.  `address` and `credentials` say where and who, `client` is the
one owner of pymilvus, `schema` what is stored and how, `roots` whose path is which, `expressions` what a filter means
there; `facts`, `searches` and `writes` are the three sides of a library, and `store` puts them together.
"""
