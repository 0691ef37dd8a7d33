"""XLSX: what the parts of a workbook say, read as a stream; `sources/files/workbook.py` uses it.

Why not a library. The fast ones (calamine and what is built on it) hold a whole sheet, lose error
cells, and end the whole process for a file of 5 kB that names a distant cell. openpyxl's read-only
mode is safe, but it turns numbers into dates by itself, cannot tell a formula that was never
calculated from a blank cell, sees neither merged cells nor hidden rows, and takes three times as
long in twice the memory. What is evidence here would have to be read a second time. So the standard
library's zipfile and expat read the parts, and these modules know what the few elements mean.
"""
