"""One text per pattern of Presidio that the pattern matches: the proof, at start, that no prefilter gate was lost.

Keyed by recogniser and position of the pattern. All values are made up or published examples.
"""

from __future__ import annotations

CANARIES: dict[str, tuple[str, ...]] = {
    "EmailRecognizer": ("write to jo.doe@example.com",),
    "CreditCardRecognizer": ("4111 1111 1111 1111",),
    "UsSsnRecognizer": ("12345-6789", "123-456789", "123-45-6789", "123456789", "123 45 6789"),
    "IbanRecognizer": ("GB82 WEST 1234 5698 7654 32",),
    "IpRecognizer": ("192.0.2.1", "2001:db8:0:0:0:0:2:1", "::"),
    "UrlRecognizer": (
        "https://www.example.com/a",
        "www.example.com",
        "'https://www.example.com'",
        '"www.example.com"',
    ),
    "UsPassportRecognizer": ("123456789", "A12345678"),
    "UsLicenseRecognizer": ("D1234567", "1234567"),
    "UsItinRecognizer": ("912-501234", "912501234", "912-50-1234"),
    "UsBankRecognizer": ("123456789012",),
    "UsMbiRecognizer": ("1EG4TE5MK73", "1EG4-TE5-MK73"),
    "UsNpiRecognizer": ("1234567893", "1234 567 893"),
    "CryptoRecognizer": ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",),
    "MedicalLicenseRecognizer": ("BB1388568",),
    "DateRecognizer": (
        "2020-01-02T03:04:05.5Z",
        "12/31/1999",
        "31/12/1999",
        "1999/12/31",
        "12-31-1999",
        "31-12-1999",
        "1999-12-31",
        "31.12.1999",
        "31-DEC-1999",
        "DEC-1999",
        "31-DEC",
        "12/1999",
        "12/99",
    ),
    "MacAddressRecognizer": ("00:1B:44:11:3A:B7", "001B.4411.3AB7"),
    "AbaRoutingRecognizer": ("021000021", "0210-0002-1"),
    "UkNinoRecognizer": ("AB 12 34 56 C",),
    "NhsRecognizer": ("943 476 5919",),
    "UkPassportRecognizer": ("AB1234567",),
    "UkPostcodeRecognizer": ("SW1A 1AA",),
}
