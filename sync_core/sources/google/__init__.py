"""Google Sheets, read through gspread's client."""
