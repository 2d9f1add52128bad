r"""Links, e-mail addresses and handles in running text, as patterns; whoever leaves them out leaves out nothing more.

Their letters are Latin here: in Chinese and Thai the next word follows without a space, and ``\S+`` or ``\w+`` would
take the sentence behind an address for a part of it.
"""

LATIN = "A-Za-zÀ-ÖØ-öø-ɏ"
NAMED = r"(?<=[/=])[^\W_A-Za-z0-9]{1,60}(?=[\s/?#&=]|$)"
"""A part of a path in letters of any script counts where it stands alone: behind ``/x`` the sentence goes on."""
LINK = rf"(?<![A-Za-z0-9])(?:https?://|www\.(?=\w))(?:[!#-;=?-~]|{NAMED})*(?:[A-Za-z0-9/=&#_~%+$@*-]|{NAMED})"
"""A comma or full stop behind it is the sentence's."""
MAIL = (
    rf"(?<![{LATIN}0-9])[{LATIN}0-9_][{LATIN}0-9_.+-]{{0,63}}"
    rf"@[{LATIN}0-9-]{{1,63}}(?:\.[{LATIN}0-9-]{{2,63}}){{1,4}}(?![{LATIN}0-9])"
)
HANDLE_NAME = r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?(?:@[A-Za-z0-9.-]{3,80})?|\w{1,30}(?=[\s:：,，]|$))"
"""In Chinese or Thai letters it counts only where something ends it, else it would swallow the sentence behind it."""
HANDLE = rf"(?<![A-Za-z0-9@])@{HANDLE_NAME}"
LEFT_OF_LINK = r"(?<![A-Za-z0-9])https?(?![A-Za-z0-9])"
"""What cleaning leaves of a link, beside letters of any script."""
ANY = rf"{LINK}|{MAIL}|{HANDLE}|{LEFT_OF_LINK}"
