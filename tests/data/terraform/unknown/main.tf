# Cổng dịch vụ công của một cơ quan: a public service portal on a domestic OpenStack and an S3 store beside it.
terraform {
  required_version = ">= 1.4"
  required_providers {
    openstack = {
      source  = "terraform-provider-openstack/openstack"
      version = "~> 3.0"
    }
    aws = {
      source  = "hashicorp/aws"
      version = "~> 3.39"
    }
  }
}

variable "region" {
  type    = string
  default = "HN"
}

variable "external_network_id" {
  type    = string
  default = "7a1c9f52-0e39-4a4c-8b3c-5c0f4d0d9b02"
}

provider "openstack" {
  auth_url = "https://identity.hn.example.vn:5000/v3"
  region   = var.region
}

# The store has no IAM, STS or metadata service to ask.
provider "aws" {
  region                      = "vn-hn"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_get_ec2_platforms      = true
  s3_force_path_style         = true

  endpoints {
    s3 = "https://s3.hn.example.vn"
  }
}
