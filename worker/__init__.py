"""Where events become work: routes, relay, handlers, listeners; the only users of the queue."""
