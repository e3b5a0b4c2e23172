"""What requests share: documents without their literals, and memories in which each tenant has a share."""
