"""What a transaction does to keys and to what they protect: turning them, and ending them."""
