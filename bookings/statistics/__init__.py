"""Statistics for people to read: utilisation, flows, unmet demand, payers, tables, files."""
