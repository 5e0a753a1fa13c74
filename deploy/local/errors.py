"""What can be wrong with the local stack. Every message says what is wrong and what to do."""


class StackError(Exception):
    """The stack cannot do what was asked."""


class JarError(StackError):
    """A jar of Kafka is missing and cannot be fetched, or is not what we committed to."""


class KafkaError(StackError):
    """Kafka's directory could not be prepared."""


class ClickHouseError(StackError):
    """A user that ClickHouse cannot have."""
