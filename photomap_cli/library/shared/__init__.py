"""A shared library: its photos and vectors are in Milvus, where several machines index and search them.

Nothing here is imported unless the library is named by an address.  `client` alone imports pymilvus.  `schema` says
what is stored, `expressions` translates filters, `roots` translates paths.  `facts`, `searches` and `writes` implement
the three sides of `library.store.Library`, and `store` puts them together.
"""
