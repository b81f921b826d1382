"""Import the administration pages that areas define in a module `admin`."""

from accounts.areas import modules

MODULES = list(modules("admin"))
