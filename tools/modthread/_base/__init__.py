"""What everything else stands on: paths, settings, system packages, pinned sources, programs."""
