"""Documents: contracts, court papers and reports, sealed whole and linked from what they are evidence of."""
