// Every name that this port uses is found in its sources.
