"""Credit policy versions: how a document is checked, drafted, compared, decided on and put in force (Ch.9)."""
