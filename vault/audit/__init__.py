"""The audit log as a tree: hashes, signed notes, tiles, exported folders and their verification. No database."""
