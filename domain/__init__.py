"""What is true: records, rules, operations, the Gate and the read model. Standard library only."""
