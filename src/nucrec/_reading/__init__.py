"""From names and bytes of files, in folders and archives, to arrays and tables."""
