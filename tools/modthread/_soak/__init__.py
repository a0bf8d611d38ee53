"""A campaign of hours or days on one board: what only volume shows."""
