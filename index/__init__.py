"""What a mention is and where it rests: records, queries, stores."""
