# The same provider for several places: the domestic store, one abroad with its address, AWS with none, a second site.
terraform {
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

variable "store" {
  type    = string
  default = "https://s3.hcm.example.vn"
}

provider "openstack" {
  auth_url = "https://identity.hn.example.vn:5000/v3"
  region   = "HN"
}

provider "openstack" {
  alias    = "hcm"
  auth_url = "https://identity.hn.example.vn:5000/v3"
  region   = "HCM"
}

provider "openstack" {
  alias    = "singapore"
  auth_url = "https://identity.sg.example.com:5000/v3"
  region   = "SG"
}

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

provider "aws" {
  alias                       = "bien"
  region                      = "vn-hcm"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_get_ec2_platforms      = true

  endpoints {
    s3 = var.store
  }
}

provider "aws" {
  alias                       = "nuoc_ngoai"
  region                      = "ap-southeast-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_get_ec2_platforms      = true

  endpoints {
    s3 = "https://s3.ap-southeast-1.amazonaws.com"
  }
}

provider "aws" {
  alias                       = "mac_dinh"
  region                      = "ap-southeast-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
  skip_get_ec2_platforms      = true
}

resource "aws_s3_bucket" "trong_nuoc" {
  bucket = "trong-nuoc"
}

resource "aws_s3_bucket" "bien" {
  provider = aws.bien
  bucket   = "bien"
}

resource "aws_s3_bucket" "nuoc_ngoai" {
  provider = aws.nuoc_ngoai
  bucket   = "nuoc-ngoai"
}

resource "aws_s3_bucket" "mac_dinh" {
  provider = aws.mac_dinh
  bucket   = "mac-dinh"
}

resource "openstack_blockstorage_volume_v3" "hn" {
  name = "hn"
  size = 1
}

resource "openstack_blockstorage_volume_v3" "hcm" {
  provider = openstack.hcm
  name     = "hcm"
  size     = 1
}

resource "openstack_blockstorage_volume_v3" "singapore" {
  provider = openstack.singapore
  name     = "singapore"
  size     = 1
}

# Its region is its own, whatever the provider's is.
resource "openstack_blockstorage_volume_v3" "rieng" {
  name   = "rieng"
  region = "DN"
  size   = 1
}

module "ban_sao" {
  source = "./modules/kho"
  name   = "ban-sao"

  providers = {
    aws = aws.nuoc_ngoai
  }
}
