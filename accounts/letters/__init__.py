"""Messages to people: `kinds` (what a kind is, and how it becomes letters), `mails` (letters as
mail), `words` (names and days as sentences have them), and the kinds of this app: `people` and
`sign_in`."""
