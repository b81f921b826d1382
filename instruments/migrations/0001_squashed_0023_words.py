from accounts.models.at_once import AtOnce


class Migration(AtOnce):

    replaces = [
        ('instruments', '0001_squashed_0014_labels_of_imports'),
        ('instruments', '0015_measurands'),
        ('instruments', '0016_capabilities'),
        ('instruments', '0017_cards_by_what_they_ask'),
        ('instruments', '0018_samples'),
        ('instruments', '0019_house_rules'),
        ('instruments', '0020_short_codes'),
        ('instruments', '0021_kept_hours'),
        ('instruments', '0022_instruments_of_sessions'),
        ('instruments', '0023_words'),
    ]

    dependencies = [
        ('accounts', '0001_squashed_0015_closed_organisations'),
    ]
