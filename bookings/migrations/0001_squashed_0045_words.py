from accounts.models.at_once import AtOnce


class Migration(AtOnce):

    replaces = [
        ('bookings', '0001_squashed_0017_mergers'),
        ('bookings', '0018_lists'),
        ('bookings', '0019_needs'),
        ('bookings', '0020_listed_rows'),
        ('bookings', '0021_sums_of_hours'),
        ('bookings', '0022_jobs_by_what_is_due'),
        ('bookings', '0023_days_over_open_hours'),
        ('bookings', '0024_samples'),
        ('bookings', '0025_conversation'),
        ('bookings', '0026_results'),
        ('bookings', '0027_questions'),
        ('bookings', '0028_at_the_instrument'),
        ('bookings', '0029_collecting'),
        ('bookings', '0030_answer_files'),
        ('bookings', '0031_kept_hours'),
        ('bookings', '0032_reviews'),
        ('bookings', '0033_planned_purchases'),
        ('bookings', '0034_ratings_and_alarms'),
        ('bookings', '0035_board'),
        ('bookings', '0036_receipt_sent'),
        ('bookings', '0037_promised_years'),
        ('bookings', '0038_batches'),
        ('bookings', '0039_reading_correction'),
        ('bookings', '0040_answer_files_created'),
        ('bookings', '0041_links_of_hosts'),
        ('bookings', '0042_links_of_hosts_filled'),
        ('bookings', '0043_need_reader_addresses'),
        ('bookings', '0044_need_reader_addresses_index'),
        ('bookings', '0045_words'),
    ]

    dependencies = [
        ('accounts', '0017_saved_views'),
        ('instruments', '0021_kept_hours'),
    ]
