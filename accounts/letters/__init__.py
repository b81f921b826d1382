"""Messages to people: `kinds` (kinds of messages, and how they become letters), `mails` (letters as mail),
`words` (names and days in sentences), and the kinds of messages of this app in `people` and `sign_in`."""
