"""pytest's view of the boards: options, collection and fixtures."""
