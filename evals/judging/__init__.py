"""A language model as a judge of replies, by the metrics of ragas, which has a process and pins of its own."""
