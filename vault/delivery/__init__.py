"""What leaves for a partner: signed by the company, and sealed to a key that the partner alone holds."""
