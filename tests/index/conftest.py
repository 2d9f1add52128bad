"""Lets failing asserts of the shared suite say what they compared."""

import pytest

pytest.register_assert_rewrite("tests.index.contract")
