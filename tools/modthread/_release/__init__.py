"""Images to download: with checksums, what is inside, and the licences of that."""
