from accounts.models.at_once import AtOnce


class Migration(AtOnce):

    replaces = [
        ('accounts', '0001_squashed_0015_closed_organisations'),
        ('accounts', '0016_leases'),
        ('accounts', '0017_saved_views'),
    ]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]
