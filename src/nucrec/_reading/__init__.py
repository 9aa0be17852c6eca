"""Reading of files in folders and archives: from names and bytes to arrays and tables."""
