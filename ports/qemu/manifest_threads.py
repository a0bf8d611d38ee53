include("manifest.py")
include("../../lib")
