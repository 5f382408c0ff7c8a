"""Tables that people bring: CSV in any usual encoding and XLSX, read row by row in a process of bounded size."""
