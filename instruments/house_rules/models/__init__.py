from instruments.house_rules.models.house_rules import HouseRules, HouseRulesAcceptance

__all__ = ["HouseRules", "HouseRulesAcceptance"]
