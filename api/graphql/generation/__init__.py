"""From declared records to types: what is offered, in which words, and how Strawberry is told."""
