"""The task definition on stdin with another image, as `aws ecs register-task-definition` takes it.

aws ecs describe-task-definition ... | python3 deploy/aws/task_definition.py IMAGE
"""

import json
import sys

READ_ONLY = (
    "taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy",
    "deregisteredAt",
)  # fmt: skip
definition = json.load(sys.stdin)
for name in READ_ONLY:
    definition.pop(name, None)
definition["containerDefinitions"][0]["image"] = sys.argv[1]
json.dump(definition, sys.stdout)
