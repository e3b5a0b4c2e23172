"""Answers that go on: event streams and WebSockets."""
