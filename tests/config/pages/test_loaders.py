"""Pages without the indentation of their templates."""

from django.template.loader import get_template

from config.pages.loaders import flush


def test_lines_begin_with_their_first_sign_but_for_what_is_shown_or_translated_as_written():
    source = (
        "<p>\n    a\n\t{{ b }}\n</p>\n  <pre>\n  as\n</pre>\n"
        "  {% blocktranslate trimmed %}\n    One.\n  {% endblocktranslate %}\n"
        '  <textarea name="x">\n  c</textarea>'
    )
    assert flush(source) == (
        "<p>\na\n{{ b }}\n</p>\n<pre>\n  as\n</pre>\n"
        "{% blocktranslate trimmed %}\n    One.\n  {% endblocktranslate %}\n"
        '<textarea name="x">\n  c</textarea>'
    )


def test_pages_are_made_so_and_texts_of_mails_are_not():
    page = get_template("bookings/board/bids.html").template.source
    assert "\n " not in page and "\n" in page
    mail = get_template("bookings/messaging/mail/message.txt").template
    with open(mail.origin.name, encoding="utf-8") as file:
        assert mail.source == file.read()
