freeze("modules", "ssl.py")
