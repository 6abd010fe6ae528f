"""Another emulator of SQS: moto's server. It is slow, and differs from SQS in other ways than MiniStack."""

from support.emulator import Emulator, program_of_package


class Moto(Emulator):
    health = "/moto-api/"

    def command(self):
        return [program_of_package("moto_server"), "-H", "127.0.0.1", "-p", str(self.port)]

    def environment(self):
        return self.settings
