"""What people read of hours: utilisation, flows, unmet demand, payers, tables, files."""
