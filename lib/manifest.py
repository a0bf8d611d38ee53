# What the boards' firmware has frozen. A firmware whose manifest does not include this has none of it.
add_library("modthread", ".")
for module_name in ("threading", "queue", "concurrent", "asyncio"):
    require(module_name, library="modthread")
