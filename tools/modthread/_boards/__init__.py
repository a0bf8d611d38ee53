"""The boards: what they are, which are attached, which one is meant, and who has it now."""
