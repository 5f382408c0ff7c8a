"""What the organization remembers: turns, summaries, knowledge and their vectors, and hybrid recall over them.

Models, the store, ingestion of documents, embeddings and recall live here from the memory step on.
"""
