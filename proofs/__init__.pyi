from .families import described as described
from .families import obligations as obligations
from .spelling import hint as hint
from .spelling import may_be_described as may_be_described
