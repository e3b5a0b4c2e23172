"""The audit log in the store: entries become leaves, leaves stand in a tree, and the heads of the tree are signed."""
