"""What the store keeps of statements, as those who publish it look at it."""
