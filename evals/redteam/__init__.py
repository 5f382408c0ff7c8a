"""Red team: a model that obeys every instruction it reads, and a judge that looks at what then happened.

`cases` reads what an attacker writes and what the model would do for them, `world` makes the organization and a
neighbour, `carriers` bring the text in by the product's own doors, `obedient` is the model, `playing` lets the real
runtime work, and `oracle` compares the rows of both organizations before and after with rules of its own.
"""
