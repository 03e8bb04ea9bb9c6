"""From raw rows to prompts, tokens and batches; and where the raw rows and models are downloaded from."""
