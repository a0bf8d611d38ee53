"""The commands of `modthread` that are no package of their own."""
